/* fuzz_route.c - paths of requests. */
#include <stdlib.h>
#include <string.h>

#include "http/http_priv.h"
#include "support/fuzz.h"

static void nothing(struct hd_http_request *req, void *arg)
{
	(void)req;
	(void)arg;
}

static const struct hd_http_route routes[] = {
	{ HD_HTTP_GET, "/", nothing },
	{ HD_HTTP_GET, "/v1/users", nothing },
	{ HD_HTTP_GET, "/v1/users/:number", nothing },
	{ HD_HTTP_POST, "/v1/users/:number/unlock", nothing },
	{ HD_HTTP_PUT, "/:a/:b/:c/:d", nothing },
};
static const struct http_table table = { routes, sizeof(routes) / sizeof(routes[0]), NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned methods[] = { HD_HTTP_GET, HD_HTTP_POST, HD_HTTP_PUT };
	struct http_match m;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (http_route(&m, &table, 1, methods[i],
			       (struct hd_slice){ (const char *)data, len }))
			continue;
		if (!m.route || m.n_params > HD_HTTP_PARAMS_MAX)
			abort();
		for (unsigned p = 0; p < m.n_params; p++)
			if (!memchr(m.params[p], '\0', HD_HTTP_PARAM_SIZE))
				abort();
	}
	return 0;
}
