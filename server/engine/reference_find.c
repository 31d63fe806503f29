/*
 * reference_find.c -- looking things up in a snapshot, by id or by number.
 */
#include "engine/reference.h"

#include <stdlib.h>
#include <string.h>

static int programme_order(const void *key, const void *row)
{
    return strcmp(key, ((const struct programme *)row)->id);
}

static int bank_order(const void *key, const void *row)
{
    return strcmp(key, ((const struct bank *)row)->id);
}

static int merchant_order(const void *key, const void *row)
{
    return strcmp(key, ((const struct merchant *)row)->id);
}

static int store_order(const void *key, const void *row)
{
    return strcmp(key, ((const struct store_place *)row)->id);
}

static int funding_order(const void *key, const void *row)
{
    return strcmp(key, ((const struct funding *)row)->id);
}

static const void *find(const char *id, const void *rows, size_t count, size_t size,
                        int (*order)(const void *, const void *))
{
    return id && count > 0 ? bsearch(id, rows, count, size, order) : NULL;
}

const struct programme *reference_programme(const struct reference *reference, const char *id)
{
    return find(id, reference->programmes, reference->programme_count, sizeof(struct programme), programme_order);
}

const struct bank *reference_bank(const struct reference *reference, const char *id)
{
    return find(id, reference->banks, reference->bank_count, sizeof(struct bank), bank_order);
}

const struct merchant *reference_merchant(const struct reference *reference, const char *id)
{
    return find(id, reference->merchants, reference->merchant_count, sizeof(struct merchant), merchant_order);
}

const struct store_place *reference_store(const struct merchant *merchant, const char *id)
{
    return find(id, merchant->stores, merchant->store_count, sizeof(struct store_place), store_order);
}

const struct programme *reference_programme_no(const struct reference *reference, int32_t no)
{
    for (size_t i = 0; i < reference->programme_count; i++) {
        if (reference->programmes[i].no == no)
            return &reference->programmes[i];
    }
    return NULL;
}

const struct bank *reference_bank_no(const struct reference *reference, int32_t no)
{
    for (size_t i = 0; i < reference->bank_count; i++) {
        if (reference->banks[i].no == no)
            return &reference->banks[i];
    }
    return NULL;
}

const struct merchant *reference_merchant_no(const struct reference *reference, int32_t no)
{
    for (size_t i = 0; i < reference->merchant_count; i++) {
        if (reference->merchants[i].no == no)
            return &reference->merchants[i];
    }
    return NULL;
}

const struct store_place *reference_store_no(const struct merchant *merchant, int32_t no)
{
    for (size_t i = 0; i < merchant->store_count; i++) {
        if (merchant->stores[i].no == no)
            return &merchant->stores[i];
    }
    return NULL;
}

const struct funding *reference_funding(const struct bank *bank, const char *id)
{
    return find(id, bank->fundings, bank->funding_count, sizeof(struct funding), funding_order);
}

const struct funding *reference_funding_no(const struct bank *bank, int32_t no)
{
    for (size_t i = 0; i < bank->funding_count; i++) {
        if (bank->fundings[i].no == no)
            return &bank->fundings[i];
    }
    return NULL;
}

const struct good *reference_good(const struct reference *reference, int32_t programme_no, const char *id)
{
    for (size_t i = 0; id && i < reference->goods_count; i++) {
        if (reference->goods[i].programme_no == programme_no && strcmp(reference->goods[i].id, id) == 0)
            return &reference->goods[i];
    }
    return NULL;
}

const struct good *reference_good_no(const struct reference *reference, int32_t no)
{
    for (size_t i = 0; i < reference->goods_count; i++) {
        if (reference->goods[i].no == no)
            return &reference->goods[i];
    }
    return NULL;
}
