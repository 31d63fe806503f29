#include "adapter.h"

#include <string.h>

static const struct carrier_adapter *const adapters[] = {
    &generic_json_adapter,
};

const struct carrier_adapter *adapter_find(const char *name)
{
    for (size_t i = 0; i < COUNT(adapters); i++) {
        if (strcmp(adapters[i]->name, name) == 0)
            return adapters[i];
    }
    return NULL;
}
