/*
 * member_service.c -- MemberService: who may call what. Nobody but the bank sees what is personal.
 */
#include "service/bank_handlers.h"
#include "service/member_handlers.h"
#include "service/services.h"

#include <alliance/v1/member_service.pb-c.h>

static const struct method methods[] = {
    /* rpc name               who may call               handler */
    { "GetMember", ROLE_BANK | ROLE_OPERATOR, member_get, NULL },
    { "FindMember", ROLE_BANK, member_find, NULL },
    { "ListMemberChanges", ROLE_BANK | ROLE_OPERATOR, member_list_changes, NULL },
    { "EraseMember", ROLE_BANK, bank_member_write, NULL },
    { "SplitMember", ROLE_BANK, member_split_in_two, NULL },
};
const struct service member_service = { &alliance__v1__member_service__descriptor, methods, COUNT(methods) };
