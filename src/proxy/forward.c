/* forward.c - what is sent to one target, and limits against loops and floods (RFC 5393). */
#include <stdlib.h>
#include <string.h>

#include "hotdesk/base/secret.h"
#include "proxy_priv.h"

enum { TEXTS = 4 };

/* Texts stand behind the struct. */
int forward_keep(struct forward **keptp, struct forward *fwd)
{
	const char *const texts[] = { fwd->target.flow, fwd->target.uri, fwd->target.via,
				      fwd->target.last };
	const char **const fields[] = { &fwd->target.flow, &fwd->target.uri, &fwd->target.via,
					&fwd->target.last };
	size_t size = sizeof(*fwd), n;
	struct forward *kept;
	char *p;

	for (size_t i = 0; i < TEXTS; i++)
		size += texts[i] ? strlen(texts[i]) + 1 : 0;
	kept = malloc(size);
	if (!kept) {
		hd_msg_free(fwd->msg);
		return HD_ENOMEM;
	}
	p = (char *)(kept + 1);
	for (size_t i = 0; i < TEXTS; i++) {
		if (!texts[i])
			continue;
		n = strlen(texts[i]) + 1;
		memcpy(p, texts[i], n);
		*fields[i] = p;
		p += n;
	}
	*kept = *fwd;
	kept->what = NULL;
	fwd->msg = NULL;
	*keptp = kept;
	return 0;
}

void forward_free(struct forward *fwd)
{
	if (!fwd)
		return;
	hd_msg_free(fwd->msg);
	free(fwd);
}

void forward_sort(struct forward *fwd, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct forward one = fwd[i];
		size_t at = i;

		for (; at > 0 && fwd[at - 1].q_permille < one.q_permille; at--)
			fwd[at] = fwd[at - 1];
		fwd[at] = one;
	}
}

/* ---- Max-Breadth (RFC 5393 5.3) ------------------------------------------------------------- */

static uint64_t breadth_of(struct hd_msg *msg, uint32_t otherwise)
{
	const char *text = hd_msg_header(msg, "Max-Breadth", 0);
	uint64_t breadth;

	if (!text || hd_u64_parse(&breadth, hd_slice_of(text), UINT32_MAX))
		return otherwise;
	return breadth;
}

static int set_breadth(struct hd_msg *msg, uint64_t breadth)
{
	struct hd_buf line = { 0 };
	int err;

	hd_msg_remove(msg, "Max-Breadth");
	hd_buf_addf(&line, "Max-Breadth: %llu\r\n", (unsigned long long)breadth);
	err = hd_buf_error(&line);
	if (!err)
		err = hd_msg_add(msg, hd_buf_text(&line));
	hd_buf_fini(&line);
	return err;
}

bool forward_share_breadth(struct forward *fwd, size_t n, uint32_t otherwise)
{
	uint64_t breadth = breadth_of(fwd[0].msg, otherwise), share;
	size_t begin, end;

	for (begin = 0; begin < n; begin = end) {
		for (end = begin + 1; end < n && fwd[end].q_permille == fwd[begin].q_permille;)
			end++;
		if (breadth < end - begin)
			return false;
		for (size_t i = begin; i < end; i++) {
			share = breadth / (end - begin) + (i - begin < breadth % (end - begin));
			if (set_breadth(fwd[i].msg, share))
				return false;
		}
	}
	return true;
}

/* ---- loops (RFC 5393 4.2) ------------------------------------------------------------------- */

static uint32_t mix(uint32_t hash, struct hd_slice s)
{
	return hash * 31 + (s.len ? hd_crc32c(s.ptr, s.len) : 1);
}

static uint32_t mix_uri(uint32_t hash, const struct hd_uri *uri)
{
	hash = mix(hash * 31 + (uint32_t)uri->scheme, uri->user);
	hash = mix(hash, uri->host);
	hash = mix(hash, uri->port);
	return mix(hash, uri->params);
}

/* All that decides where we send it, as it came: not the Vias, which differ in every round. */
uint32_t forward_loop_hash(const struct hd_msg *msg)
{
	uint32_t hash = (uint32_t)hd_msg_method(msg);
	struct hd_uri uri;

	hd_msg_ruri(msg, &uri);
	hash = mix_uri(hash, &uri);
	hd_msg_from_uri(msg, &uri);
	hash = mix_uri(hash, &uri);
	if (hd_msg_route(msg, &uri))
		hash = mix_uri(hash, &uri);
	return mix(hash, hd_slice_of(hd_msg_to_tag(msg)));
}
