# The gateway as an image. For one gateway that is alone: docker build -t quench . && docker run --init --network host --volume quench:/srv/quench/data quench
# For several on a shared log: docker-compose.yml. It holds what `npm pack` packs, plain JavaScript, and the modules of package-lock.json.
FROM node:24-bookworm-slim AS build
WORKDIR /srv/build
COPY package.json package-lock.json ./
COPY packaging packaging
RUN npm ci --ignore-scripts
COPY . .
RUN npm pack --silent && tar -xzf quench-*.tgz

FROM node:24-bookworm-slim AS modules
WORKDIR /srv/quench
COPY package.json package-lock.json ./
COPY packaging packaging
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /srv/quench
COPY --from=modules /srv/quench/node_modules node_modules
COPY --from=build /srv/build/package .
COPY docker docker
# What it writes; new volumes here belong to the user it runs as.
RUN install -d -o node -g node -m 700 data tokens
USER node
EXPOSE 8686
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=30s CMD ["node", "docker/ready.js"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "bin/quench.js"]
CMD ["serve", "--config", "quench.yaml"]
