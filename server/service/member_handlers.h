/*
 * member_handlers.h -- the handlers of MemberService; member_service.c has their table.
 */
#ifndef SERVICE_MEMBER_HANDLERS_H
#define SERVICE_MEMBER_HANDLERS_H

#include "service/call.h"

/* member_read.c */
method_handler member_get, member_find;
/* member_changes.c */
method_handler member_list_changes;
/* member_split.c */
method_handler member_split_in_two;

#endif
