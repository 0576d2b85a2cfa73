# Slipway as an image: built on Azure Linux, run without a shell and without root.
# Another base: docker build --build-arg BUILD_IMAGE=… --build-arg RUN_IMAGE=… .
ARG BUILD_IMAGE=mcr.microsoft.com/azurelinux/base/core:3.0
ARG RUN_IMAGE=mcr.microsoft.com/azurelinux/distroless/base:3.0

FROM ${BUILD_IMAGE} AS build
# The compiler, C for the crates that bring C code, Node for Tailwind and wasm-opt. Other bases bring their own packages.
ARG INSTALL="tdnf install -y build-essential ca-certificates rust nodejs npm"
RUN ${INSTALL}
ENV CARGO_HOME=/opt/cargo RUSTUP_HOME=/opt/rustup
ENV PATH=/opt/cargo/bin:${PATH}
# Azure Linux's own Rust may lag; rustup's stable wins where it can be had.
ARG RUSTUP="true"
RUN if [ "${RUSTUP}" = "true" ]; then curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal; fi
WORKDIR /src
# Packages first: they change less often than the sources.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY . .
RUN cargo xtask build --release \
 && mkdir -p /image/usr/bin /image/var/lib/slipway \
 && cp target/release/slipway /image/usr/bin/slipway

FROM ${RUN_IMAGE}
COPY --from=build --chown=65532:65532 /image /
USER 65532:65532
ENV SLIPWAY_DATA=/var/lib/slipway
VOLUME /var/lib/slipway
EXPOSE 3000
ENTRYPOINT ["/usr/bin/slipway"]
CMD ["serve"]
