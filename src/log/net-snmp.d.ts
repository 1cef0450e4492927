/**
 * What src/log/snmp.ts uses of net-snmp. The types published for it (@types/net-snmp) leave out `send`
 * and what it is given.
 */
declare module 'net-snmp' {
  export interface User {
    readonly name: string;
    readonly level: number;
    readonly authProtocol?: number;
    readonly authKey?: string;
    readonly privProtocol?: number;
    readonly privKey?: string;
  }

  export interface SessionOptions {
    readonly version: number;
    readonly engineID?: Buffer;
    readonly dgramModule: { createSocket(): unknown };
  }

  export interface Varbind {
    readonly oid: string;
    readonly type: number;
    readonly value: string | number;
  }

  /** A message before it is made into bytes. */
  export interface Message {
    /** Of v3 alone. */
    readonly msgSecurityParameters?: {
      msgAuthoritativeEngineBoots: number;
      msgAuthoritativeEngineTime: number;
    };
    toBuffer(): Buffer;
  }

  export class Session {
    constructor(target: string, authenticator: string | User, options: SessionOptions);
    /** Makes a message and hands it to `send`, before it returns. */
    trap(
      oid: string,
      varbinds: readonly Varbind[],
      options: { readonly upTime: number },
      callback: () => void,
    ): this;
    send(request: { readonly message: Message }): this;
  }

  const snmp: {
    readonly Session: typeof Session;
    readonly Version2c: number;
    readonly Version3: number;
    readonly SecurityLevel: Readonly<Record<'noAuthNoPriv' | 'authNoPriv' | 'authPriv', number>>;
    readonly AuthProtocols: Readonly<
      Record<'sha' | 'sha224' | 'sha256' | 'sha384' | 'sha512', number>
    >;
    readonly PrivProtocols: Readonly<Record<'aes' | 'aes256b' | 'aes256r', number>>;
    readonly ObjectType: Readonly<Record<'OctetString' | 'Gauge' | 'Counter', number>>;
  };
  export default snmp;
}
