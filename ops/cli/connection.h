/*
 * connection.h -- where the server is and who we are: from options, a profile, or the environment.
 *
 * A profile is a file of key=value lines: server, ca, cert, key, and server_name when the certificate carries another
 * name than the address. Blank lines and those that begin with "#" are passed over; file names are relative to the
 * profile's folder.
 */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

#include "command.h"

#include "base/error.h"

enum { CONNECTION_TEXT = 1024 };

struct connection {
    char server[CONNECTION_TEXT], ca[CONNECTION_TEXT], cert[CONNECTION_TEXT], key[CONNECTION_TEXT];
    char server_name[CONNECTION_TEXT];
};

/* Reads the file named. Keys that are not known are refused. */
bool connection_load(const char *path, struct connection *connection, struct error *err) MUST_USE;
/* Options win over the profile named by --profile, and that over the environment. */
bool connection_find(const struct arguments *arguments, struct connection *connection, struct error *err) MUST_USE;
/* $ALLIANCE_HOME/profiles, or ./var/profiles. */
bool connection_profiles(char out[CONNECTION_TEXT]) MUST_USE;

struct client;
/* Opens a client; nothing is sent yet. */
bool connection_open(const struct connection *connection, struct client **client, struct error *err) MUST_USE;

#endif
