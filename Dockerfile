# The production image: what runs, nothing that builds it, as a user without rights on a file system that can
# be read-only. Volumes are not needed: databases, Redis and logs are elsewhere.

FROM node:22-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev
# What a running server reads: the icons of its pages, the fonts of its pictures and reports, and their licences.
RUN mkdir /kept && cd node_modules && cp --parents -r -t /kept \
    bootstrap-icons/icons bootstrap-icons/LICENSE \
    dejavu-fonts-ttf/LICENSE dejavu-fonts-ttf/ttf/DejaVuSans.ttf dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf \
    @expo-google-fonts/arimo/LICENSE_FONT @expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf \
    @expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf \
    @expo-google-fonts/noto-emoji/LICENSE_FONT \
    @expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py LICENSE ./
COPY tmi tmi
COPY accounts accounts
COPY threatmodels threatmodels
COPY collaboration collaboration
COPY templates templates
COPY static static
COPY --from=browser /app/node_modules node_modules
RUN TMI_DATA_DIR=/tmp/build /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf node_modules /tmp/build \
    && /venv/bin/python -m compileall -q tmi accounts threatmodels collaboration

FROM python:3.13-slim
RUN groupadd --system --gid 10001 tmi \
    && useradd --system --uid 10001 --gid tmi --no-create-home --home-dir /nonexistent --shell /bin/false tmi
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --from=browser /kept /app/node_modules
WORKDIR /app
USER 10001:10001
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TMI_DATA_DIR=/tmp/tmi \
    TMI_SERVER_ENGINE=uvicorn
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "tmi.server.check"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve"]
