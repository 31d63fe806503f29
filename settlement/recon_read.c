#include "recon_read.h"

#include <string.h>

static const struct {
    const char *name;
    recon_reader *read;
} readers[] = {
    { "csv", recon_read_csv },
    { "bai2", recon_read_bai2 },
    { "mt940", recon_read_mt940 },
    { "camt053", recon_read_camt },
};

recon_reader *recon_reader_named(const char *name)
{
    for (size_t i = 0; i < COUNT(readers); i++) {
        if (strcmp(readers[i].name, name) == 0)
            return readers[i].read;
    }
    return NULL;
}

const char *recon_reader_names(void)
{
    return "csv|bai2|mt940|camt053";
}
