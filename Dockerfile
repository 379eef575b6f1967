# The official PostgreSQL image with the extension: docker build --build-arg PG=17 --tag postgres-jwt .
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

FROM postgres:${PG}-bookworm
COPY --from=build /package/ /
CMD ["postgres", "-c", "shared_preload_libraries=pg_session_jwt"]
