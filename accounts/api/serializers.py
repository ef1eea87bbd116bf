"""What the API says about people and takes from them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from tmi.api.fields import Choice, Text
from tmi.api.serializers import StrictSerializer


class TokenRequestSerializer(StrictSerializer):
    grant_type = Choice(choices=["password"])
    username = Text(max_length=254)
    password = Text(max_length=4096)


class RefreshRequestSerializer(StrictSerializer):
    refresh_token = Text(max_length=4096)


class RevokeRequestSerializer(StrictSerializer):
    token = Text(max_length=8192)


class TokensSerializer(serializers.Serializer[Any]):
    """What a sign-in is answered with; `expires_in` is in seconds."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField()


class ProviderSerializer(serializers.Serializer[Any]):
    """A way to sign in."""

    id = serializers.CharField()
    name = serializers.CharField()


class GroupSummarySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    provider = serializers.CharField()
    group_name = serializers.CharField()
    name = serializers.CharField(allow_null=True)


class MeSerializer(StrictSerializer):
    """The person who asks."""

    id = serializers.UUIDField(read_only=True)
    email = serializers.CharField(read_only=True)
    name = Text(max_length=200)
    provider = serializers.CharField(read_only=True)
    email_verified = serializers.BooleanField(read_only=True)
    groups = GroupSummarySerializer(many=True, read_only=True)
    is_admin = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    last_login = serializers.DateTimeField(read_only=True, allow_null=True)
