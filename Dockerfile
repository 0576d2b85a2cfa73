# Slipway as an image: built on Azure Linux, run without a shell and without root.
# Another base, or the same by digest: docker build --build-arg BUILD_IMAGE=… --build-arg RUN_IMAGE=…@sha256:… .
ARG BUILD_IMAGE=mcr.microsoft.com/azurelinux/base/core:3.0
ARG RUN_IMAGE=mcr.microsoft.com/azurelinux/distroless/base:3.0

FROM ${BUILD_IMAGE} AS build
# The compiler, C for the crates that bring C code, Node for Tailwind and wasm-opt. Other bases bring their own packages.
ARG INSTALL="tdnf install -y build-essential ca-certificates rust nodejs npm"
RUN ${INSTALL}
ENV CARGO_HOME=/opt/cargo RUSTUP_HOME=/opt/rustup
ENV PATH=/opt/cargo/bin:${PATH}
# Azure Linux's own Rust may lag; rustup's stable wins where it can be had. The installer is one release, checked before it runs
# (published beside it: https://static.rust-lang.org/rustup/archive/1.28.2/x86_64-unknown-linux-gnu/rustup-init.sha256).
ARG RUSTUP="1.28.2"
ARG RUSTUP_SHA256_X86_64="20a06e644b0d9bd2fbdbfd52d42540bdde820ea7df86e92e533c073da0cdd43c"
ARG RUSTUP_SHA256_AARCH64="e3853c5a252fca15252d07cb23a1bdd9377a8c6f3efa01531109281ae47f841c"
RUN if [ -n "${RUSTUP}" ]; then \
      case "$(uname -m)" in x86_64) sum="${RUSTUP_SHA256_X86_64}";; aarch64) sum="${RUSTUP_SHA256_AARCH64}";; *) exit 1;; esac \
      && curl --proto '=https' --tlsv1.2 -sSfo /tmp/rustup-init "https://static.rust-lang.org/rustup/archive/${RUSTUP}/$(uname -m)-unknown-linux-gnu/rustup-init" \
      && echo "${sum}  /tmp/rustup-init" | sha256sum --check --quiet \
      && chmod 700 /tmp/rustup-init && /tmp/rustup-init -y --profile minimal && rm /tmp/rustup-init; \
    fi
WORKDIR /src
# Packages first: they change less often than the sources.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY . .
RUN cargo xtask build --release \
 && mkdir -p /image/usr/bin /image/var/lib \
 && mkdir -m 700 /image/var/lib/slipway \
 && cp target/release/slipway /image/usr/bin/slipway

FROM ${RUN_IMAGE}
COPY --from=build --chown=65532:65532 /image /
USER 65532:65532
ENV SLIPWAY_DATA=/var/lib/slipway
VOLUME /var/lib/slipway
EXPOSE 3000
ENTRYPOINT ["/usr/bin/slipway"]
CMD ["serve"]
