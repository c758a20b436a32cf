# The server, its worker and its commands in one image: `docker build -t banyan .`
FROM python:3.11-slim AS built
WORKDIR /app
COPY requirements-server.lock .
RUN python -m venv /venv && \
    /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements-server.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin banyan
WORKDIR /app
COPY --from=built /venv /venv
COPY main.py LICENSE ./
COPY saas saas
COPY schema schema
COPY tenants tenants
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ENVIRONMENT=production HOST=0.0.0.0
USER banyan
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", \"8000\")}/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "main.py"]
CMD ["serve"]
