"""/groups: a person sees their own, an administrator all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import group as actions
from accounts.api.base import SignedInViewSet
from accounts.api.serializers import GroupSerializer, MemberRequestSerializer, PersonSerializer
from accounts.models import EVERYONE_ID, Group, User
from tmi.api.bodies import patched
from tmi.api.errors import checked
from tmi.api.listing import PAGES, PLAIN_LIST, SPARSE, Listing
from tmi.api.parse import JsonPatchParser, MergePatchParser, StrictJSONParser
from tmi.api.query import values
from tmi.lib.errors import NotFound, PermissionDenied, ValidationFailed
from tmi.lib.ids import NO_ID, parse_id

Json = dict[str, Any]
PAGED = [*PAGES, SPARSE]
SEARCH = OpenApiParameter("search", str, many=True, description="Part of a name, without case.")


class GroupViewSet(SignedInViewSet):
    """Groups, for sharing; administrators make, change and delete them and say who belongs to them."""

    serializer_class = GroupSerializer
    parser_classes = (StrictJSONParser, MergePatchParser, JsonPatchParser)
    entity_tags = True
    schema_tags = ("groups",)
    parameters: ClassVar[dict[str, Collection[str]]] = {
        "list": (*PLAIN_LIST, "search"),
        "members": PLAIN_LIST,
    }

    @extend_schema(parameters=[*PAGED, SEARCH])
    def list(self, request: Request) -> Response:
        found = visible_to(self.actor).filter(search(request, "group_name", "name"))
        return GROUPS.answer(self, found)

    def create(self, request: Request) -> Response:
        self.administer()
        made = actions.create_group(actor=self.actor, **checked(GroupSerializer(data=request.data)))
        location = request.build_absolute_uri(f"{request.path}/{made.pk}")
        return self.answer_one(shown(made), 201, {"Location": location})

    def retrieve(self, request: Request, group_id: str) -> Response:
        return self.answer_one(shown(self.found(group_id)))

    def partial_update(self, request: Request, group_id: str) -> Response:
        group = self.found(group_id)
        self.administer()
        with self.held(group, shown) as (locked, current):
            changes = patched(request, GroupSerializer, current)
            changed = actions.update_group(locked, actor=self.actor, changes=changes)
        return self.answer_one(shown(changed))

    def destroy(self, request: Request, group_id: str) -> Response:
        group = self.found(group_id)
        self.administer()
        with self.held(group, shown) as (locked, _current):
            actions.delete_group(locked, actor=self.actor)
        return self.no_content()

    # -- members

    @extend_schema(
        operation_id="groups_members_list", parameters=PAGED, responses=PersonSerializer(many=True)
    )
    def members(self, request: Request, group_id: str) -> Response:
        """Who belongs to the group."""
        group = self.found(group_id)
        if group.is_everyone:
            self.administer()
        return PEOPLE.answer(self, User.objects.filter(memberships__group=group))

    @extend_schema(request=MemberRequestSerializer, responses={201: PersonSerializer})
    def add_member(self, request: Request, group_id: str) -> Response:
        """Makes a person a member."""
        group = self.found(group_id)
        self.administer()
        wanted = checked(MemberRequestSerializer(data=request.data))["user_id"]
        user = User.objects.active().filter(pk=wanted).first()
        if user is None:
            raise ValidationFailed.of("user_id", "There is no such person.")
        actions.add_member(group, user=user, actor=self.actor)
        location = request.build_absolute_uri(f"{request.path}/{user.pk}")
        return self.answer(person(user), 201, {"Location": location})

    def remove_member(self, request: Request, group_id: str, user_id: str) -> Response:
        """Takes the membership away."""
        group = self.found(group_id)
        self.administer()
        actions.remove_member(group, user_id=parse_id(user_id) or NO_ID, actor=self.actor)
        return self.no_content()

    def found(self, group_id: str) -> Group:
        group = visible_to(self.actor).filter(pk=parse_id(group_id) or NO_ID).first()
        if group is None:
            raise NotFound
        return group

    def administer(self) -> None:
        if not self.actor.is_admin:
            raise PermissionDenied("Only an administrator may do this.")


def search(request: Request, *columns: str) -> Q:
    """What holds one of the texts that `search` gives in one of the columns, without case."""
    found = Q()
    for text in values(request, "search"):
        for column in columns:
            found |= Q(**{f"{column}__icontains": text})
    return found


def visible_to(user: User) -> QuerySet[Group]:
    """The groups of a person and that of everyone; all of them for an administrator."""
    if user.is_admin:
        return Group.objects.all()
    return Group.objects.filter(Q(pk=EVERYONE_ID) | Q(pk__in=user.memberships.values("group")))


def shown(group: Group) -> Json:
    return {
        "id": group.pk,
        "provider": group.provider,
        "group_name": group.group_name,
        "name": group.name,
        "description": group.description,
    }


def person(user: User) -> Json:
    """What people see of each other."""
    return {
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "provider": user.provider,
        "is_active": user.is_active,
    }


GROUPS = Listing(
    GroupSerializer,
    shown,
    {"group_name": "group_name", "name": "name", "provider": "provider"},
    default_sort="group_name",
)
PEOPLE = Listing(
    PersonSerializer,
    person,
    {"name": "name", "email": "email", "provider": "provider"},
    default_sort="name",
)
