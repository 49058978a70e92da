# syntax=docker/dockerfile:1
# One image for every process; the command decides which (see docker-compose.yml).

# The library for charts in its smaller build, of the version that the wheel in requirements.lock brings.
FROM node:24-slim AS charts
WORKDIR /charts
RUN npm pack --silent plotly.js-cartesian-dist-min@4.1.1 \
 && echo "a3c1ab15ebac9dcc012316c1ca7449a58e29920541e9c68cf892e9c2b2d86dbb0eedd67c149f9254dd85afe2fb9221bf67ac383f93b426eb3f42be4479f1d57a  plotly.js-cartesian-dist-min-4.1.1.tgz" | sha512sum --check \
 && tar --extract --gzip --file plotly.js-cartesian-dist-min-4.1.1.tgz

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements.lock .
RUN pip install --require-hashes --no-deps -r requirements.lock
COPY manage.py pyproject.toml ./
COPY opsportal opsportal
COPY endpoints endpoints
COPY templates templates
COPY static static
COPY --from=charts /charts/package/plotly-cartesian.min.js static-build/plotly/plotly.min.js
# Compiled now, because the image's files are read-only later; static files need settings, but no server.
RUN python -m compileall -q /opt/venv/lib opsportal endpoints \
 && DJANGO_SETTINGS_MODULE=opsportal.settings.check OPSPORTAL_VAR=/app/var \
    python manage.py collectstatic --no-input --verbosity 0

FROM python:3.13-slim AS portal
RUN useradd --system --uid 10001 --user-group --no-create-home portal \
 && install -d -o 10001 -g 10001 /certificates /state
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=opsportal.settings.production \
    OPSPORTAL_VAR=/app/var \
    UVICORN_HOST=0.0.0.0 \
    UVICORN_PORT=8000
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "opsportal.asgi:application", "--timeout-graceful-shutdown", "5", "--no-access-log", "--log-level", "warning", "--lifespan", "off", "--no-server-header"]

# The emulator is a program of its own; it is here for trying the stack out, and in no production deployment.
FROM portal AS emulator
COPY emulator emulator
