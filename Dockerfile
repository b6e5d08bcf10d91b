# Two images: `airflow` for api-server, scheduler, dag-processor and triggerer; `worker` for the stages themselves.
#   docker build --target airflow .      docker build --target worker .
ARG PYTHON_IMAGE=python:3.11.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY pipelines pipelines
COPY dags/nightjar_dags dags/nightjar_dags
COPY plugins/nightjar_console plugins/nightjar_console
COPY expectations expectations
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM ${PYTHON_IMAGE} AS runtime
ENV AIRFLOW_HOME=/opt/airflow \
    DO_NOT_TRACK=1 \
    GX_ANALYTICS_ENABLED=false \
    HF_HUB_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SCARF_NO_ANALYTICS=true \
    UNSTRUCTURED_DISABLE_NOTICE=1 \
    UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9 \
    && useradd --create-home --home-dir /opt/airflow --uid 50000 --shell /usr/sbin/nologin nightjar \
    && install --directory --owner nightjar /opt/airflow/logs /opt/airflow/cache
COPY deploy/ /opt/nightjar/

FROM runtime AS airflow
COPY requirements/airflow.txt /tmp/
RUN uv pip install --system --no-cache --requirement /tmp/airflow.txt
COPY --from=wheel /wheels /wheels
RUN uv pip install --system --no-cache --no-deps /wheels/*.whl
COPY dags/*.py /opt/airflow/dags/
COPY dags/corpora /opt/airflow/dags/corpora
USER nightjar
WORKDIR /opt/airflow

FROM runtime AS worker
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libmagic1 libreoffice-calc-nogui libreoffice-impress-nogui libreoffice-writer-nogui pandoc poppler-utils tesseract-ocr \
    && rm -rf /var/lib/apt/lists/*
# An index of CPU-only builds of torch saves 5 GB; with it the CUDA libraries of the pinned list are left out.
ARG TORCH_INDEX_URL=
COPY requirements/worker.txt /tmp/
RUN if [ -n "${TORCH_INDEX_URL}" ]; then \
        grep -E '^torch==' /tmp/worker.txt | cut -d' ' -f1 > /tmp/torch.txt \
        && uv pip install --system --no-cache --index-url "${TORCH_INDEX_URL}" --no-deps --requirement /tmp/torch.txt \
        && sed -i -E '/^(torch|triton|nvidia-|cuda-)/d' /tmp/worker.txt; \
    fi \
    && uv pip install --system --no-cache --requirement /tmp/worker.txt
COPY --from=wheel /wheels /wheels
RUN uv pip install --system --no-cache --no-deps /wheels/*.whl
COPY dags/*.py /opt/airflow/dags/
COPY dags/corpora /opt/airflow/dags/corpora
USER nightjar
WORKDIR /opt/airflow
