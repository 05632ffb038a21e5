# convsim in a container: docker build -t convsim . && docker run --rm -v "$PWD:/work" convsim validate REAL SIM
# What is built needs a compiler of no kind, and nothing of it but the environment goes into the image.
FROM python:3.11-slim-bookworm AS build
ARG EXTRAS=arena,excel,parquet,zstd
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY data ./data
COPY validators ./validators
COPY convsim ./convsim
RUN python -m venv /opt/convsim \
    && /opt/convsim/bin/python -m pip install --no-cache-dir --disable-pip-version-check ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
COPY --from=build /opt/convsim /opt/convsim
RUN useradd --no-log-init --create-home --uid 10001 convsim \
    && install --directory --owner=convsim --group=convsim /work
# Any user can be named with --user: what libraries cache goes where everybody may write.
ENV PATH=/opt/convsim/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1
USER 10001
WORKDIR /work
# The port of convsim arena and convsim view; they listen beyond the container with --host 0.0.0.0 alone.
EXPOSE 8765
ENTRYPOINT ["convsim"]
CMD ["--help"]
