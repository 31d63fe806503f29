#include "read_pain.h"

#include "xml_in.h"

#include <stdio.h>
#include <string.h>

#define SPACE "urn:iso:std:iso:20022:tech:xsd:pain.002."
#define ROOT  "CstmrPmtStsRpt/"

/* Lives in read_pain's frame. The three levels a status can be given at. */
struct pain {
    pain_handler *each;
    void *owner;
    struct pain_record message, block, one;
};

static const struct xml_field message_fields[] = {
    XML_FIELD("OrgnlGrpInfAndSts/OrgnlMsgId", struct pain_record, message_id),
    XML_FIELD("OrgnlGrpInfAndSts/GrpSts", struct pain_record, status),
    XML_FIELD("OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd", struct pain_record, reason),
    XML_FIELD("OrgnlGrpInfAndSts/StsRsnInf/Rsn/Prtry", struct pain_record, reason),
    XML_FIELD("OrgnlGrpInfAndSts/StsRsnInf/AddtlInf", struct pain_record, text),
};
static const struct xml_field block_fields[] = {
    XML_FIELD("OrgnlPmtInfAndSts/OrgnlPmtInfId", struct pain_record, payment_id),
    XML_FIELD("OrgnlPmtInfAndSts/PmtInfSts", struct pain_record, status),
    XML_FIELD("OrgnlPmtInfAndSts/StsRsnInf/Rsn/Cd", struct pain_record, reason),
    XML_FIELD("OrgnlPmtInfAndSts/StsRsnInf/Rsn/Prtry", struct pain_record, reason),
    XML_FIELD("OrgnlPmtInfAndSts/StsRsnInf/AddtlInf", struct pain_record, text),
};
static const struct xml_field one_fields[] = {
    XML_FIELD("OrgnlPmtInfAndSts/TxInfAndSts/OrgnlEndToEndId", struct pain_record, end_to_end_id),
    XML_FIELD("OrgnlPmtInfAndSts/TxInfAndSts/TxSts", struct pain_record, status),
    XML_FIELD("OrgnlPmtInfAndSts/TxInfAndSts/StsRsnInf/Rsn/Cd", struct pain_record, reason),
    XML_FIELD("OrgnlPmtInfAndSts/TxInfAndSts/StsRsnInf/Rsn/Prtry", struct pain_record, reason),
    XML_FIELD("OrgnlPmtInfAndSts/TxInfAndSts/StsRsnInf/AddtlInf", struct pain_record, text),
};

/* A level that says nothing is not given. */
static bool give(struct pain *pain, struct pain_record *record, const struct xml_item *item, struct error *err)
{
    if (!*record->status)
        return true;
    record->line = item->line;
    if (record != &pain->message)
        snprintf(record->message_id, sizeof record->message_id, "%s", pain->message.message_id);
    if (record == &pain->one)
        snprintf(record->payment_id, sizeof record->payment_id, "%s", pain->block.payment_id);
    return pain->each(pain->owner, record, err);
}

static bool end(struct pain *pain, const char *path, const struct xml_item *item, struct error *err)
{
    if (strcmp(path, "OrgnlGrpInfAndSts") == 0)
        return give(pain, &pain->message, item, err);
    if (strcmp(path, "OrgnlPmtInfAndSts") == 0)
        return give(pain, &pain->block, item, err);
    if (strcmp(path, "OrgnlPmtInfAndSts/TxInfAndSts") != 0)
        return true;
    if (!*pain->one.end_to_end_id && *pain->one.status)
        return error_set(err, REASON_FIELD_INVALID, "line %d: a transaction's status without OrgnlEndToEndId",
                         item->line);
    return give(pain, &pain->one, item, err);
}

static void begin(struct pain *pain, const char *path)
{
    if (strcmp(path, "OrgnlPmtInfAndSts") == 0)
        pain->block = (struct pain_record){ 0 };
    if (strcmp(path, "OrgnlPmtInfAndSts/TxInfAndSts") == 0)
        pain->one = (struct pain_record){ 0 };
}

static bool take(void *owner, const struct xml_item *item, struct error *err)
{
    struct pain *pain = owner;
    const char *path;

    if (!*item->path && item->event == XML_BEGIN && strncmp(item->space, SPACE, strlen(SPACE)) != 0)
        return error_set(err, REASON_FIELD_INVALID, "this is no pain.002: its namespace is %.80s",
                         *item->space ? item->space : "missing");
    if (strncmp(item->path, ROOT, strlen(ROOT)) != 0)
        return true;
    path = item->path + strlen(ROOT);
    if (item->event == XML_BEGIN)
        begin(pain, path);
    if (item->event == XML_END)
        return end(pain, path, item, err);
    return item->event == XML_BEGIN ||
           (xml_field_set(message_fields, COUNT(message_fields), &pain->message, path, item, err) &&
            xml_field_set(block_fields, COUNT(block_fields), &pain->block, path, item, err) &&
            xml_field_set(one_fields, COUNT(one_fields), &pain->one, path, item, err));
}

bool read_pain(const char *path, pain_handler *each, void *owner, struct error *err)
{
    struct pain pain = { .each = each, .owner = owner };

    return xml_in_read(path, take, &pain, err);
}
