"""/api/versions"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from tmi.api.pagination import whole_list
from tmi.api.versions import VERSIONS
from tmi.api.views import ApiViewSet


class VersionSerializer(serializers.Serializer[Any]):
    """A version of the API."""

    name = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField(choices=["current", "deprecated"])
    path = serializers.CharField()
    released = serializers.DateField()
    deprecated = serializers.DateField(allow_null=True)
    sunset = serializers.DateField(allow_null=True)
    successor = serializers.CharField(allow_null=True)


class VersionViewSet(ApiViewSet):
    """/api/versions: open to everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = VersionSerializer
    schema_tags = ("versions",)

    @extend_schema(operation_id="versions_list")
    def list(self, request: Request) -> Response:
        listed = [version.shown() for version in VERSIONS]
        return self.answer_list(listed, whole_list(len(listed)))
