"""Bringing files of other tools in."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedInViewSet
from threatmodels import access
from threatmodels.actions.importing import import_file
from threatmodels.models import ThreatModel
from threatmodels.roles import Role
from tmi.lib.errors import ValidationFailed


class ImportFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class ImportResultSerializer(serializers.Serializer[Any]):
    """What an import made: counts by kind of element, and a sentence for all that was changed or left out."""

    threat_model_id = serializers.UUIDField()
    kind = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    warnings = serializers.ListField(child=serializers.CharField())


class ImportView(SignedInViewSet):
    """The kind of a file is recognised by its content; a file is imported whole or not at all."""

    parser_classes = (MultiPartParser,)
    serializer_class = ImportResultSerializer
    schema_tags = ("interchange",)

    @extend_schema(
        operation_id="import",
        request={"multipart/form-data": ImportFileSerializer},
        responses={201: ImportResultSerializer},
    )
    def create(self, request: Request) -> Response:
        """Makes a threat model of a file; its kind is recognised by its content."""
        return self._import(None)

    @extend_schema(
        operation_id="threat_models_import",
        request={"multipart/form-data": ImportFileSerializer},
        responses={201: ImportResultSerializer},
    )
    def add(self, request: Request, threat_model_id: str) -> Response:
        """Adds what the file holds to the threat model."""
        return self._import(access.get_threat_model(self.actor, threat_model_id, at_least=Role.WRITER))

    def _import(self, threat_model: ThreatModel | None) -> Response:
        files = self.request.FILES.getlist("file")
        if len(files) != 1 or set(self.request.data) != {"file"}:
            raise ValidationFailed.of("file", "Send one file in the field named file.")
        upload: UploadedFile = files[0]
        imported = import_file(
            actor=self.actor,
            file=upload,  # type: ignore[arg-type]  # it reads like one
            filename=upload.name or "",
            threat_model=threat_model,
        )
        target, report = imported.threat_model, imported.report
        location = self.request.build_absolute_uri(f"/api/v1/threat_models/{target.pk}")
        data = {
            "threat_model_id": target.pk,
            "kind": report.kind,
            "counts": report.counts,
            "warnings": report.warnings,
        }
        return self.answer(data, 201, {"Location": location})
