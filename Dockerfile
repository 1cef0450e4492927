# wormgate in a container. docs/operations.md tells how it is run.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY . .
# Packing builds. What is installed of it needs nothing else, and therefore no network.
RUN npm pack --pack-destination /tmp \
    && npm install --global --prefix /opt/wormgate --offline --ignore-scripts /tmp/wormgate-*.tgz
# The shipped configuration, reachable from outside the container, with the patterns where they are.
RUN mkdir /etc/wormgate \
    && sed -e 's/^Listen=127\.0\.0\.1:8080$/Listen=0.0.0.0:8080/' \
           -e 's#\.\./patterns/#/opt/wormgate/lib/node_modules/wormgate/patterns/#g' \
           config/PROXY.CFG > /etc/wormgate/PROXY.CFG \
    && /opt/wormgate/bin/wormgate check --config /etc/wormgate/PROXY.CFG

FROM node:24-bookworm-slim
COPY --from=build /opt/wormgate /opt/wormgate
COPY --from=build /etc/wormgate /etc/wormgate
RUN install -d -o node -g node -m 0700 /var/lib/wormgate
ENV PATH=/opt/wormgate/bin:$PATH
# Where the health check asks, and with what Token, if PROXY.CFG says otherwise than the shipped one.
ENV WORMGATE_READY=http://127.0.0.1:8081/readyz WORMGATE_TOKEN=
USER node
VOLUME /var/lib/wormgate
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["node", "-e", "fetch(process.env.WORMGATE_READY, { headers: { authorization: 'Bearer ' + process.env.WORMGATE_TOKEN } }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["wormgate"]
CMD ["start", "--config", "/etc/wormgate/PROXY.CFG", "--data", "/var/lib/wormgate"]
