"""What the API says about collaboration sessions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ParticipantSerializer(serializers.Serializer[Any]):
    """Somebody who is in the session."""

    user_id = serializers.UUIDField()
    name = serializers.CharField()
    joined_at = serializers.DateTimeField()


class CollaborationSessionSerializer(serializers.Serializer[Any]):
    """A live session of a diagram; `host_id` is null while only readers watch."""

    id = serializers.UUIDField()
    threat_model_id = serializers.UUIDField()
    diagram_id = serializers.UUIDField()
    host_id = serializers.UUIDField(allow_null=True)
    websocket_url = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    participants = ParticipantSerializer(many=True)


class AnySessionSerializer(serializers.Serializer[Any]):
    """A sign-in of the person, or a live collaboration session that they may join.

    Of a sign-in `current` is true for the one that asks; a collaboration session has no address.
    """

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["sign_in", "collaboration"])
    created_at = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    address = serializers.CharField(allow_blank=True)
    user_agent = serializers.CharField(allow_blank=True)
    current = serializers.BooleanField()
    collaboration = CollaborationSessionSerializer(required=False)
