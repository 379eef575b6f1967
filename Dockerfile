# The official PostgreSQL image with the extension, and the gateway:
#   docker build --build-arg PG=17 --target postgres --tag postgres-jwt .
#   docker build --target gateway --tag pg-session-jwt-gateway .
ARG PG=17

FROM rust:1.96-bookworm AS build
ARG PG
# Debian packages one major. The script of postgresql-common adds the repository of all majors.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-common clang libclang-dev jq python3 \
    && bash /usr/share/postgresql-common/pgdg/*.sh -y \
    && apt-get install -y --no-install-recommends "postgresql-server-dev-$PG"
WORKDIR /src
COPY . .
RUN bash -c '. scripts/common.sh && cargo install --locked --root /usr/local "cargo-pgrx@$(pgrx_version)"'
ENV CARGO_TARGET_DIR=/target
RUN scripts/package.sh package "/usr/lib/postgresql/$PG/bin/pg_config" && mv "/target/release/pg_session_jwt-pg$PG" /package
RUN mkdir -p /package/usr/share/doc/pg_session_jwt && cp LICENSE /package/usr/share/doc/pg_session_jwt/ \
    && scripts/dependencies.py texts >/package/usr/share/doc/pg_session_jwt/licences-of-dependencies

FROM rust:1.96-bookworm AS build-gateway
RUN apt-get update && apt-get install -y --no-install-recommends python3
WORKDIR /src
COPY . .
RUN cargo build --locked --release --target-dir /target -p pg_session_jwt_gateway
RUN mkdir -p /package/usr/bin /package/usr/share/doc/pg_session_jwt_gateway \
    && cp /target/release/pg_session_jwt_gateway /package/usr/bin/ \
    && cp LICENSE /package/usr/share/doc/pg_session_jwt_gateway/ \
    && scripts/dependencies.py texts pg_session_jwt_gateway \
        >/package/usr/share/doc/pg_session_jwt_gateway/licences-of-dependencies

FROM debian:bookworm-slim AS gateway
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin jwt_gateway
COPY --from=build-gateway /package/ /
USER 10001
EXPOSE 4444
ENTRYPOINT ["/usr/bin/pg_session_jwt_gateway"]

FROM postgres:${PG}-bookworm AS postgres
# The authorities that verify the host of a jwks_url.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /package/ /
CMD ["postgres", "-c", "shared_preload_libraries=pg_session_jwt"]
