# syntax=docker/dockerfile:1
# Dagbok in a container: docker build -t dagbok . && docker run -v "$PWD/configs:/etc/scheduler/configs:ro" dagbok
# What holds there and what does not (commands do not outlive the container): docs/guides/operations.md.

# --- the dependencies that run: changes only with the lock file -------------------------------------------------------
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# better-sqlite3 brings its binaries along: no compiler, no script to run.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts

# --- dist/ from src/ --------------------------------------------------------------------------------------------------
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx --no-install tsc -p tsconfig.build.json

# --- what is shipped --------------------------------------------------------------------------------------------------
FROM node:24-bookworm-slim
# tini reaps what commands leave behind; as PID 1 Node would keep them as zombies. tzdata is for the commands.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini tzdata ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node -m 0700 /var/lib/scheduler \
 && install -d /etc/scheduler/configs/schedules /etc/scheduler/configs/dags /etc/scheduler/configs/calendars /etc/scheduler/workflows \
 && ln -s /app/bin/scheduler.js /usr/local/bin/scheduler
WORKDIR /app
# Owned by root: the scheduler cannot change its own code.
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json README.md LICENSE ./
COPY schemas ./schemas
COPY --chmod=0755 bin/scheduler.js ./bin/scheduler.js
COPY --from=build /app/dist ./dist
ENV NODE_ENV=production \
    SCHED_ROOT=/etc/scheduler \
    STATE_STORE_PATH=/var/lib/scheduler/state.jsonl \
    ORCH_EVENTS_PATH=/var/lib/scheduler/events.jsonl
USER node
WORKDIR /etc/scheduler
VOLUME ["/var/lib/scheduler"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["scheduler", "status", "--json"]
# Not `tini -g`: a stop is for the scheduler, which then tells its workers in its own time.
ENTRYPOINT ["tini", "--", "scheduler"]
CMD ["--serve"]
