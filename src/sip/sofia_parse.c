/*
 * sofia_parse.c - see sofia_hook_priv.h: what the library does to texts that it is to leave alone.
 *
 * It resolves the escapes of a URI that need not be there; but a phone is called by the URI that
 * it registered, byte for byte (RFC 3261 16.5). And where it keeps the text of a message, as we
 * have it do, empty lines before the start line make it cut off as many bytes at that line's end
 * (7.5). A NUL in a quoted string ends its text, a method with a '+' is none to it, and a request
 * whose URI it cannot read has no answer, nor has one with "rport=" or port 99999 in its Via. Our
 * screen stands between it and its transports.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/bnf.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_tagarg.h>

#include "hotdesk/base/str.h"
#include "sofia_hook_priv.h"

enum { URL_PARTS = 8, STATUS_MIN = 100, STATUS_MAX = 699, VIA_MAX = 512 };

static _Thread_local hd_sent_by_fn *sent_by;
static _Thread_local const void *sent_by_arg;
static _Thread_local hd_screen_fn *screen_fn;
static _Thread_local const void *screen_arg;
static struct {
	tport_stack_class_t ours;
	void (*receive)(tp_stack_t *, tport_t *, msg_t *, tp_magic_t *, su_time_t);
} stack_class;

/* Where the part that begins at `at` ended before: one separator stands before the next one. */
static size_t part_end(const url_t *url, const char *s, size_t at, size_t len)
{
	const char *const parts[URL_PARTS] = { url->url_user,	 url->url_password, url->url_host,
					       url->url_port,	 url->url_path,	    url->url_params,
					       url->url_headers, url->url_fragment };
	size_t end = len;

	for (size_t i = 0; i < URL_PARTS; i++) {
		size_t next = parts[i] ? (size_t)(parts[i] - s) : 0;

		if (next > at && next - 1 < end)
			end = next - 1;
	}
	return end;
}

static void put_back(const url_t *url, char *s, const char *original)
{
	const char *const parts[] = { url->url_user, url->url_password, url->url_params,
				      url->url_headers };
	const size_t len = strlen(original);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t at, end;

		if (!parts[i])
			continue;
		at = (size_t)(parts[i] - s);
		end = part_end(url, s, at, len);
		memcpy(s + at, original + at, end - at);
		s[end] = '\0';
	}
}

int hook_url_d(url_t *url, char *s)
{
	char *original;
	int rc;

	if (!s || !strchr(s, '%'))
		return REAL(url_d)(url, s);
	original = strdup(s);
	if (!original)
		return -1;
	rc = REAL(url_d)(url, s);
	if (rc == 0 && (url->url_type == url_sip || url->url_type == url_sips))
		put_back(url, s, original);
	free(original);
	return rc;
}

/* The library has room for the line alone, and put the empty lines and a part of it there. */
static void drop_blank_lines(sip_header_t *h, char *s, usize_t len)
{
	const char *text = h->sh_data;
	usize_t n = 0;

	if (!text || !strchr(" \t\r\n", *s))
		return;
	while (n < h->sh_len && strchr(" \t\r\n", text[n]))
		n++;
	if (h->sh_len - n < len)
		return;
	memcpy(s, text + n, len);
	s[len] = '\0';
	h->sh_data = text + n;
	h->sh_len -= n;
}

/* A request whose URI nobody can read is still one: the sanity check has it answered with 400. */
static issize_t keep_unreadable(su_home_t *home, sip_request_t *rq)
{
	const usize_t len = rq->rq_common->h_len;
	char *line, *version;

	if (!rq->rq_common->h_data)
		return -1;
	line = su_strndup(home, rq->rq_common->h_data, (isize_t)len);
	if (!line)
		return -1;
	line[strcspn(line, "\r\n")] = '\0';
	version = strrchr(line, ' ');
	if (!version || strncasecmp(version + 1, "SIP/", 4) != 0)
		return -1;
	rq->rq_method = hook_sip_method_d(&line, &rq->rq_method_name);
	if (rq->rq_method == sip_method_invalid)
		return -1;
	rq->rq_version = version + 1;
	url_init(rq->rq_url, url_invalid);
	return 0;
}

issize_t hook_sip_request_d(su_home_t *home, sip_header_t *h, char *s, isize_t len)
{
	issize_t rc;

	drop_blank_lines(h, s, (usize_t)len);
	rc = REAL(sip_request_d)(home, h, s, len);
	return rc < 0 ? keep_unreadable(home, h->sh_request) : rc;
}

issize_t hook_sip_status_d(su_home_t *home, sip_header_t *h, char *s, isize_t len)
{
	issize_t rc;

	drop_blank_lines(h, s, (usize_t)len);
	rc = REAL(sip_status_d)(home, h, s, len);
	if (rc >= 0 && h->sh_status->st_status <= STATUS_MAX)
		return rc;
	/* There is no such class. An error here would cost a stream its connection. */
	h->sh_status->st_version = sip_version_2_0;
	h->sh_status->st_status = 0;
	h->sh_status->st_phrase = "";
	return 0;
}

/* It knows a method of most characters of a token, but of '+' and '`' (RFC 3261 25.1). */
sip_method_t hook_sip_method_d(char **sp, char const **namep)
{
	sip_method_t method = REAL(sip_method_d)(sp, namep);
	char *s = *sp;
	size_t n;

	if (method != sip_method_invalid)
		return method;
	n = (size_t)span_token(s);
	if (n == 0 || (s[n] && !IS_LWS(s[n])))
		return sip_method_invalid;
	*sp = s + n + strspn(s + n, " \t\r\n");
	if (namep) {
		*namep = s;
		s[n] = '\0';
	}
	return sip_method_unknown;
}

/* ---- Via ------------------------------------------------------------------------------------ */

/* SIP/2.0/UDP host:port, with spaces nearly everywhere. @return the colon, or NULL */
static char *find_colon(char *s)
{
	for (int i = 0; s && i < 2; i++) {
		s = strchr(s, '/');
		s = s ? s + 1 : NULL;
	}
	if (!s)
		return NULL;
	s += strspn(s, LWS);
	s += strcspn(s, LWS);
	s += strspn(s, LWS);
	if (*s == '[')
		s += strcspn(s, "]");
	s += strcspn(s, ":;,");
	return *s == ':' ? s : NULL;
}

/* Takes a port away that is none. @return whether there was one, which is then in *portp */
static bool take_port(su_home_t *home, char *s, const char **portp)
{
	char *colon = find_colon(s), *port;
	uint64_t number;
	size_t n;

	if (!colon)
		return false;
	port = colon + 1 + strspn(colon + 1, LWS);
	n = strcspn(port, ";," LWS);
	if (!hd_u64_parse(&number, (struct hd_slice){ port, n }, UINT16_MAX))
		return false;
	*portp = su_strndup(home, port, (isize_t)n);
	memset(colon, ' ', (size_t)(port - colon) + n);
	return *portp != NULL;
}

/* @return whether there was any */
static bool take_empty_values(char *s)
{
	bool quoted = false, found = false;

	for (; *s; s++) {
		if (quoted && *s == '\\' && s[1]) {
			s++;
		} else if (*s == '"') {
			quoted = !quoted;
		} else if (!quoted && *s == '=' && strchr(";,", s[1 + strspn(s + 1, LWS)])) {
			*s = ' ';
			found = true;
		}
	}
	return found;
}

/*
 * A parameter with an '=' and no value counts as one without either. A port that is none is kept
 * as it came: the request is refused, and the answer goes to its source.
 */
issize_t hook_sip_via_d(su_home_t *home, sip_header_t *h, char *s, isize_t len)
{
	sip_via_t *via = (sip_via_t *)h;
	const char *port = NULL;
	char text[VIA_MAX];
	/* Not len: for the rest of a list the library hands the length of the whole down. */
	size_t n = strlen(s);
	issize_t rc;
	bool mended;

	if (n >= sizeof(text))
		return REAL(sip_via_d)(home, h, s, len);
	memcpy(text, s, n + 1);
	rc = REAL(sip_via_d)(home, h, s, len);
	if (rc >= 0)
		return rc;
	mended = take_port(home, text, &port);
	mended |= take_empty_values(text);
	if (!mended)
		return rc;
	memcpy(s, text, n + 1);
	*via = (sip_via_t){ .v_common = { *via->v_common }, .v_next = via->v_next };
	rc = REAL(sip_via_d)(home, h, s, len);
	if (rc >= 0 && port)
		via->v_port = port;
	return rc;
}

/* ---- escaped NULs --------------------------------------------------------------------------- */

void hd_parse_hide_nuls(struct hd_nuls *nuls, msg_t *msg)
{
	char *b = msg_buf_committed_data(msg), *end;
	size_t len = msg_buf_committed(msg);
	const sip_t *sip = sip_object(msg);
	char *p;

	nuls->n = 0;
	if (!b || len == 0 || !sip || sip->sip_flags & MSG_FLG_BODY || !memchr(b, '\0', len))
		return;
	while (len > 0 && strchr("\r\n", *b) && *b) {
		b++;
		len--;
	}
	end = memmem(b, len, "\r\n\r\n", 4);
	len = end ? (size_t)(end - b) : len;
	for (p = memchr(b, '\0', len); p && nuls->n < HD_NULS_MAX;
	     p = memchr(p + 1, '\0', len - (size_t)(p + 1 - b))) {
		if (p == b || p[-1] != '\\')
			continue;
		*p = '0';
		nuls->at[nuls->n++] = p;
	}
}

void hd_parse_show_nuls(const struct hd_nuls *nuls)
{
	for (size_t i = 0; i < nuls->n; i++)
		*nuls->at[i] = '\0';
}

/* ---- what the library makes of a message ---------------------------------------------------- */

void hd_parse_set_screen(hd_screen_fn *screen, const void *arg)
{
	screen_fn = screen;
	screen_arg = arg;
}

static void receive(tp_stack_t *stack, tport_t *tport, msg_t *msg, tp_magic_t *magic,
		    su_time_t received)
{
	if (screen_fn)
		screen_fn(screen_arg, tport, msg);
	stack_class.receive(stack, tport, msg, magic, received);
}

/* The transports are given our way into the transaction layer. */
tport_t *hook_tport_tcreate(tp_stack_t *stack, tport_stack_class_t const *class, su_root_t *root,
			    tag_type_t tag, tag_value_t value, ...)
{
	tport_t *tport;
	ta_list ta;

	ta_start(ta, tag, value);
	if (FROM_SOFIA()) {
		stack_class.ours = *class;
		stack_class.receive = class->tpac_recv;
		stack_class.ours.tpac_recv = receive;
		class = &stack_class.ours;
	}
	tport = REAL(tport_tcreate)(stack, class, root, ta_tags(ta));
	ta_end(ta);
	return tport;
}

void hd_parse_set_sent_by(hd_sent_by_fn *is_ours, const void *arg)
{
	sent_by = is_ours;
	sent_by_arg = arg;
}

/* A datagram that ends before its body begins escapes the library (RFC 3261 18.3). */
static bool is_cut(const sip_t *sip)
{
	size_t n = 0;

	if (!sip->sip_content_length)
		return false;
	for (const sip_payload_t *pl = sip->sip_payload; pl; pl = pl->pl_next)
		n += pl->pl_len;
	return n < sip->sip_content_length->l_length;
}

/* A response to what we forwarded that has nowhere to go on to (RFC 3261 16.7 step 3). */
static bool is_shorn(const sip_t *sip)
{
	const sip_via_t *via = sip->sip_via;

	return sip->sip_status && via && via->v_branch && !via->v_next &&
	       strncmp(via->v_branch, HD_BRANCH_FORWARDED, strlen(HD_BRANCH_FORWARDED)) == 0 &&
	       sip->sip_cseq && sip->sip_cseq->cs_method != sip_method_cancel;
}

int hook_sip_sanity_check(sip_t const *sip)
{
	if (sip && (is_cut(sip) || is_shorn(sip)))
		return -1;
	if (sip && sip->sip_status && sip->sip_status->st_status < STATUS_MIN)
		return -1;
	if (sip && sip->sip_status && sip->sip_via && sent_by &&
	    !sent_by(sent_by_arg, sip->sip_via))
		return -1;
	return REAL(sip_sanity_check)(sip);
}

/* RFC 3581 4: received= stands beside rport=, also where sent-by is the source, as it is here. */
static void add_received(su_home_t *home, sip_via_t *via)
{
	size_t n = strlen(via->v_host);
	bool bracketed = n > 2 && via->v_host[0] == '[';
	char *text;

	text = su_sprintf(home, "received=%.*s", (int)(bracketed ? n - 2 : n),
			  via->v_host + bracketed);
	if (text)
		(void)REAL(msg_header_replace_param)(home, via->v_common, text);
}

int hook_msg_header_replace_param(su_home_t *home, msg_common_t *h, char const *param)
{
	sip_via_t *via = (sip_via_t *)h;

	if (FROM_SOFIA() && h && h->h_class == sip_via_class && param &&
	    strncmp(param, "rport=", strlen("rport=")) == 0 && via->v_rport && !via->v_received &&
	    via->v_host)
		add_received(home, via);
	return REAL(msg_header_replace_param)(home, h, param);
}
