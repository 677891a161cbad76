# One static binary in an image that has nothing else but certificates, run by a user who may write to /data only.
#
#   docker build -t sealpost .
#   docker run -d --name sealpost -p 127.0.0.1:8080:8080 -v sealpost:/data sealpost
#
# Settings are environment variables (README, "Configuration"): the health check has to see the same ones as the server.

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The release gives its name; without one, the build is named after its sources.
ARG VERSION
ARG TARGETOS
ARG TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make bin/sealpostd ${VERSION:+VERSION="$VERSION"}
RUN mkdir /empty

FROM scratch
COPY --from=build --chown=65532:65532 /empty /data
COPY --from=build /src/bin/sealpostd /sealpostd
# Whom to believe that speaks for an object store or a database.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV SEALPOST_LISTEN=:8080 SEALPOST_DATA=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s CMD ["/sealpostd", "-healthcheck"]
ENTRYPOINT ["/sealpostd"]
