# The stage rootfs of the Dockerfile, from a folder that `npm run images` made out of Debian packages.
FROM scratch
COPY --from=rootfs / /
