/** Reads protobuf as far as tests need it: the fields of a message, by number. */

export type Field = bigint | Buffer;

/** The fields of a message, repeated ones in their order. */
export class Message {
  readonly #fields = new Map<number, Field[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes.readUInt8(at);
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    const take = (length: number) => {
      if (at + length > bytes.length) throw new Error('a field is longer than its message');
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const wireType = tag & 7;
      let field: Field;
      if (wireType === 0) field = varint();
      else if (wireType === 1) field = take(8).readBigUInt64LE();
      else if (wireType === 2) field = take(Number(varint()));
      else if (wireType === 5) field = BigInt(take(4).readUInt32LE());
      else throw new Error(`no such wire type: ${wireType}`);
      this.#fields.set(tag >> 3, [...(this.#fields.get(tag >> 3) ?? []), field]);
    }
  }

  /** Lengths and what they are the lengths of. */
  bytes(number: number): Buffer {
    const [field] = this.#fields.get(number) ?? [];
    return typeof field === 'object' ? field : Buffer.alloc(0);
  }

  text(number: number): string {
    return this.bytes(number).toString('utf8');
  }

  hex(number: number): string {
    return this.bytes(number).toString('hex');
  }

  integer(number: number): bigint {
    const [field] = this.#fields.get(number) ?? [];
    return typeof field === 'bigint' ? field : 0n;
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  messages(number: number): Message[] {
    const fields = this.#fields.get(number) ?? [];
    return fields.flatMap((field) => (typeof field === 'object' ? [new Message(field)] : []));
  }
}
