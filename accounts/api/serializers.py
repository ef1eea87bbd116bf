"""What the API says about people and takes from them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from tmi.api.fields import Choice, Id, Moment, Text
from tmi.api.serializers import StrictSerializer


class TokenRequestSerializer(StrictSerializer):
    """`password` needs username and password, and `otp` where the account has a second factor;
    `client_credentials` client_id and client_secret, which may also come by HTTP Basic;
    `authorization_code` code, client_id, redirect_uri and code_verifier.
    """

    grant_type = Choice(choices=["password", "client_credentials", "authorization_code"])
    username = Text(max_length=254, required=False)
    password = Text(max_length=4096, required=False)
    otp = Text(max_length=32, required=False)
    client_id = Text(max_length=100, required=False)
    client_secret = Text(max_length=4096, required=False)
    code = Text(max_length=200, required=False)
    redirect_uri = Text(max_length=1000, required=False)
    code_verifier = Text(max_length=128, required=False)


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


class CredentialSerializer(StrictSerializer):
    """A client credential without its secret."""

    id = serializers.UUIDField(read_only=True)
    client_id = serializers.CharField(read_only=True)
    name = Text(max_length=200)
    expires_at = Moment(required=False, allow_null=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    is_active = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class NewCredentialSerializer(CredentialSerializer):
    """With the secret, this once."""

    client_secret = serializers.CharField(read_only=True)


class GroupSerializer(StrictSerializer):
    """A group; `*` is the provider of groups that are made here."""

    id = serializers.UUIDField(read_only=True)
    provider = serializers.CharField(read_only=True)
    group_name = Text(max_length=200)
    name = Text(max_length=200, required=False, allow_null=True)
    description = Text(max_length=2000, required=False, allow_null=True)


class MemberRequestSerializer(StrictSerializer):
    user_id = Id()


class PersonSerializer(serializers.Serializer[Any]):
    """What people see of each other."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.CharField()
    provider = serializers.CharField()
    is_active = serializers.BooleanField()
