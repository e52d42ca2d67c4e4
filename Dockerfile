# All images of Terrarium. With public images:
#
#   docker build --target operator -t REGISTRY/terrarium/operator:0.1.0 .
#   docker build --target runner   -t REGISTRY/terrarium/runner:opentofu-1.12 .
#   docker build --target runner   -t REGISTRY/terrarium/runner:terraform-1.5 --build-arg ENGINE=terraform .
#
# Without a registry, `npm run images` builds the same file: it replaces the stages rootfs, opentofu, terraform,
# providers and bundle by folders of the machine (--build-context NAME=FOLDER).
ARG ENGINE=opentofu
ARG OPENTOFU_VERSION=1.12.6
ARG TERRAFORM_VERSION=1.5.7

FROM docker.io/library/node:24-bookworm-slim AS node

FROM ghcr.io/opentofu/opentofu:${OPENTOFU_VERSION}-minimal AS opentofu

FROM docker.io/hashicorp/terraform:${TERRAFORM_VERSION} AS terraform

# The system that all images stand on: Debian, git, ssh, certificates, node.
FROM docker.io/library/debian:bookworm-slim AS rootfs
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
COPY --from=node /usr/local/bin/node /usr/local/bin/node

# The programs, one file each.
FROM node AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY operator operator
COPY runner runner
COPY tools tools
RUN node tools/bundle.ts
FROM scratch AS bundle
COPY --from=build /build/dist/ /

# The providers that init finds without a network, unpacked: init then links them instead of unzipping.
FROM rootfs AS mirror
RUN apt-get update && apt-get install -y --no-install-recommends unzip
COPY --from=opentofu /usr/local/bin/tofu /usr/local/bin/tofu
COPY tools/images/providers /mirror
WORKDIR /mirror
RUN tofu providers mirror -platform=linux_amd64 /packed && sh unpack.sh /packed /providers
FROM scratch AS providers
COPY --from=mirror /providers/ /

# Users for which the file system has names: ssh refuses to work for a user without one.
FROM rootfs AS base
COPY tools/images/etc/passwd tools/images/etc/group /etc/
ENV NODE_ENV=production HOME=/tmp
USER 65532:65532
WORKDIR /

FROM base AS engine-opentofu
COPY --from=opentofu /usr/local/bin/tofu /usr/local/bin/tofu
ENV TERRARIUM_ENGINE=opentofu TERRARIUM_ENGINE_BIN=/usr/local/bin/tofu

FROM base AS engine-terraform
COPY --from=terraform /bin/terraform /usr/local/bin/terraform
ENV TERRARIUM_ENGINE=terraform TERRARIUM_ENGINE_BIN=/usr/local/bin/terraform

# What changes seldom comes first: after a change of the code only the last small layer is new.
FROM engine-${ENGINE} AS runner
COPY --from=providers / /opt/terrarium/providers/
COPY tools/images/providers/cli.tfrc /opt/terrarium/cli.tfrc
ENV TF_CLI_CONFIG_FILE=/opt/terrarium/cli.tfrc CHECKPOINT_DISABLE=1
COPY --from=bundle /agent.mjs /launcher.mjs /opt/terrarium/
ENTRYPOINT ["node", "--disable-sigusr1", "/opt/terrarium/agent.mjs"]
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=https://github.com/terrarium-dev/terrarium
LABEL org.opencontainers.image.title="Terrarium runner" \
      org.opencontainers.image.description="Runs OpenTofu or Terraform for one component of an environment." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM base AS gitserver
COPY --from=bundle /gitserver.mjs /opt/terrarium/
EXPOSE 8080
ENTRYPOINT ["node", "/opt/terrarium/gitserver.mjs"]
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=https://github.com/terrarium-dev/terrarium
LABEL org.opencontainers.image.title="Terrarium git server" \
      org.opencontainers.image.description="A git server over HTTP for the demo and the tests." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM base AS operator
COPY --from=bundle /operator.mjs /expressions.mjs /resolver.mjs /opt/terrarium/
ENTRYPOINT ["node", "/opt/terrarium/operator.mjs"]
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=https://github.com/terrarium-dev/terrarium
LABEL org.opencontainers.image.title="Terrarium operator" \
      org.opencontainers.image.description="Reconciles declared environments with OpenTofu and Terraform." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
