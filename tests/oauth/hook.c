/*
 * A token for programs on libpq 18 that cannot be given one, such as psql: loaded into the program, it hands over the
 * token in a file, by libpq's own hook for that (PQsetAuthDataHook). A program in C calls the hook itself, and gets its
 * token as it likes.
 *
 *   cc -shared -fPIC -I"$(pg_config --includedir)" -o hook.so hook.c
 *   LD_PRELOAD=$PWD/hook.so OAUTH_TOKEN_FILE=token psql 'oauth_issuer=https://example.com/ oauth_client_id=none ...'
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libpq-fe.h"

/* At least what a server takes in one message. */
static char token[65536];

static int
hand_over(PGauthData type, PGconn *conn, void *data)
{
	PGoauthBearerRequest *request = data;
	const char *path = getenv("OAUTH_TOKEN_FILE");
	FILE	   *file;

	(void) conn;
	if (type != PQAUTHDATA_OAUTH_BEARER_TOKEN || path == NULL)
		return 0;
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fgets(token, sizeof(token), file) == NULL)
		token[0] = '\0';
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	request->token = token;
	return 1;
}

__attribute__((constructor))
static void
set_hook(void)
{
	PQsetAuthDataHook(hand_over);
}
