/* client.c - one HTTP request over the daemon's Unix socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "ctl_priv.h"

/* An import hashes each PIN in its turn, a backup writes the whole store. */
enum { CONNECT_S = 10, ANSWER_S = 3600 };

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct hd_buf *b = arg;

	hd_buf_add(b, (struct hd_slice){ data, size * n });
	return hd_buf_error(b) ? 0 : size * n;
}

static enum ctl_exit unreachable(struct ctl *ctl, CURL *curl, CURLcode rc, const char *error)
{
	long code = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &code);
	if (rc == CURLE_COULDNT_CONNECT && code == EACCES)
		(void)fprintf(ctl->err, "hotdeskctl: not allowed to talk to hotdeskd at %s: %s\n",
			      ctl->socket, strerror((int)code));
	else if (rc == CURLE_COULDNT_CONNECT)
		(void)fprintf(ctl->err, "hotdeskctl: no hotdeskd at %s: is it running? (%s)\n",
			      ctl->socket, code ? strerror((int)code) : "cannot connect");
	else
		(void)fprintf(ctl->err, "hotdeskctl: hotdeskd at %s gave no answer: %s\n",
			      ctl->socket, error[0] ? error : curl_easy_strerror(rc));
	return CTL_UNREACHABLE;
}

/* @return false: out of memory, or an option that this libcurl does not know */
static bool request_set(CURL *curl, struct ctl *ctl, const char *method, const char *url)
{
	return !curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, ctl->socket) &&
	       !curl_easy_setopt(curl, CURLOPT_URL, url) &&
	       !curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) &&
	       !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(curl, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) &&
	       !curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_S) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
}

static bool body_set(CURL *curl, struct curl_slist **headersp, const char *body, size_t len)
{
	if (!body)
		return true;
	/* Expect: 100-continue would only wait. */
	*headersp = curl_slist_append(NULL, "Expect:");
	return *headersp && !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headersp) &&
	       !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) &&
	       !curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
}

enum ctl_exit ctl_ask(struct ctl *ctl, const char *method, const char *target, const char *body,
		      size_t len, struct ctl_answer *answer)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	struct hd_buf url = { 0 };
	CURL *curl = curl_easy_init();
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	enum ctl_exit code = CTL_REFUSED;

	memset(answer, 0, sizeof(*answer));
	hd_buf_addf(&url, "http://hotdeskd%s", target);
	if (!curl || hd_buf_error(&url) || !request_set(curl, ctl, method, hd_buf_text(&url)) ||
	    !body_set(curl, &headers, body, len) ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body) ||
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error)) {
		(void)fputs("hotdeskctl: out of memory\n", ctl->err);
		goto out;
	}
	rc = curl_easy_perform(curl);
	if (rc) {
		code = unreachable(ctl, curl, rc, error);
		goto out;
	}
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (answer->body.len)
		answer->json = json_loadb(answer->body.data, answer->body.len, 0, NULL);
	code = CTL_OK;

out:
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	hd_buf_fini(&url);
	return code;
}

void ctl_answer_fini(struct ctl_answer *answer)
{
	json_decref(answer->json);
	hd_buf_fini(&answer->body);
	memset(answer, 0, sizeof(*answer));
}

char *ctl_target(const char *prefix, const char *name, const char *tail)
{
	struct hd_buf b = { 0 };
	char *escaped = curl_easy_escape(NULL, name, 0);

	if (!escaped)
		return NULL;
	hd_buf_addf(&b, "%s%s%s", prefix, escaped, tail);
	curl_free(escaped);
	return hd_buf_take(&b);
}
