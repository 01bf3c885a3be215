# registry-stats in a container: dist/, sql/ and the production dependencies; no embedded PostgreSQL.
# The deployment sets APT_ENV, and DB_HOST if Parameter Store does not have it.
#   docker build --build-arg VERSION=1.2.3 --build-arg REVISION=$(git rev-parse HEAD) .

FROM node:24-bookworm-slim AS manifest
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM manifest AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY sql sql
# dist/dev/embedded is the PostgreSQL server for developers. chmod, because a clone with a strict umask
# has files that only their owner can read.
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
  && node node_modules/typescript/bin/tsc -p src/http/page \
  && cp src/http/page/*.html src/http/page/*.css src/http/page/*.svg dist/http/page/ \
  && rm -rf dist/dev/embedded \
  && chmod -R a+rX dist sql package.json

# The bill of materials lists the installed packages. With --omit alone npm reports the others as
# missing; from the lockfile it omits packages that production and development share.
FROM manifest AS dependencies
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && npm pkg delete devDependencies optionalDependencies \
  && npm sbom --sbom-format=cyclonedx > sbom.cdx.json

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# The image needs no package manager.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
  && cd /usr/local/bin && rm -f npm npx corepack yarn yarnpkg pnpm pnpx
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/sbom.cdx.json ./
COPY --from=build /app/package.json ./
COPY --from=build /app/sql sql
COPY --from=build /app/dist dist

# The user "node" by number: Kubernetes cannot check that a name is not root.
USER 1000:1000

EXPOSE 9310

# Node gets the signals directly, without a shell or npm. A stop takes SHUTDOWN_TIMEOUT (20 s) and a
# little more, so set 30 s; Docker's default is 10.
# Small generations of new objects: a third less memory, for little time of the collector.
ENTRYPOINT ["node", "--max-semi-space-size=1", "/app/dist/main.js"]
CMD ["start"]

# Liveness, not readiness: a database outage is no reason to restart the daemon.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "/app/dist/main.js", "health"]

ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="registry-stats" \
  org.opencontainers.image.description="Keeps the deposit statistics of APTrust Registry fresh" \
  org.opencontainers.image.licenses="BSD-2-Clause" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION"
