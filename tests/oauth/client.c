/*
 * A client of libpq 18 that has a token already: it hands it over by the hook of the library (PQsetAuthDataHook), as a
 * driver would. tests/sessions/oauth_libpq.rs compiles and runs it.
 *
 *   client CONNINFO QUERY < token
 *
 * Prints the first value of each query's first row; an error goes to stderr, and the exit status is then 1.
 */
#include <stdio.h>
#include <string.h>

#include "libpq-fe.h"

static char token[70000];

static int
hand_over_token(PGauthData type, PGconn *conn, void *data)
{
	PGoauthBearerRequest *request = data;

	(void) conn;
	if (type != PQAUTHDATA_OAUTH_BEARER_TOKEN)
		return 0;
	request->token = token;
	return 1;
}

int
main(int argc, char **argv)
{
	PGconn	   *conn;
	int			status = 0;

	if (argc < 2 || fgets(token, sizeof(token), stdin) == NULL)
		return 2;
	token[strcspn(token, "\n")] = '\0';
	PQsetAuthDataHook(hand_over_token);
	conn = PQconnectdb(argv[1]);
	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		status = 1;
	}
	for (int i = 2; status == 0 && i < argc; i++)
	{
		PGresult   *result = PQexec(conn, argv[i]);

		if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
			printf("%s\n", PQgetvalue(result, 0, 0));
		else if (PQresultStatus(result) != PGRES_COMMAND_OK)
		{
			fprintf(stderr, "%s", PQresultErrorMessage(result));
			status = 1;
		}
		PQclear(result);
	}
	PQfinish(conn);
	return status;
}
