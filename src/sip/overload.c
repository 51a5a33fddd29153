/* overload.c - see hotdesk/sip/overload.h. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hotdesk/base/log.h"
#include "hotdesk/base/metric.h"
#include "hotdesk/base/secret.h"
#include "sip_priv.h"

enum { IN_DIALOG_MORE = 64, TELL_MS = 5000 };

#define HELP_SHED "requests not served, by the reason"
#define HELP_TRANSACTIONS "server transactions: open, and kept for late copies, too"
#define LABEL(name, text)                                                                          \
	[HD_SHED_##name] = HD_COUNTER("hotdeskd_shed", "class=\"" text "\"", HELP_SHED),
static struct hd_metric metrics[HD_SHED_COUNT] = { HD_SHED_LIST(LABEL) };
#undef LABEL
#define NAME(name, text) [HD_SHED_##name] = (text),
static const char *const names[HD_SHED_COUNT] = { HD_SHED_LIST(NAME) };
#undef NAME
static struct hd_metric open_now =
	HD_GAUGE("hotdeskd_transactions", "state=\"open\"", HELP_TRANSACTIONS);
static struct hd_metric kept_now =
	HD_GAUGE("hotdeskd_transactions", "state=\"kept\"", HELP_TRANSACTIONS);

enum hd_shed hd_shed_of(int err)
{
	switch (err) {
	case HD_ESHUTDOWN:
		return HD_SHED_STOPPING;
	case HD_ENOMEM:
		return HD_SHED_MEMORY;
	default:
		return HD_SHED_STORE;
	}
}

bool hd_shed_is(int err)
{
	return err == HD_EBUSY || err == HD_EFULL || err == HD_ESHUTDOWN || err == HD_ENOMEM;
}

int overload_init(struct overload *o)
{
	for (size_t i = 0; i < HD_SHED_COUNT; i++)
		hd_metric_register(&metrics[i]);
	hd_metric_register(&open_now);
	hd_metric_register(&kept_now);
	o->reserve = hd_source_table_new();
	return o->reserve ? 0 : HD_ENOMEM;
}

void overload_fini(struct overload *o)
{
	hd_source_table_free(o->reserve);
	o->reserve = NULL;
}

void overload_set(struct overload *o, const struct hd_agent_limits *limits)
{
	struct hd_agent_limits reserve = *limits;

	/* What emergency calls of one source have for themselves, whatever else it sends. */
	if (reserve.source_rate > 0 && reserve.source_rate < limits->emergency_rate)
		reserve.source_rate = limits->emergency_rate;
	if (reserve.source_burst < limits->emergency_burst)
		reserve.source_burst = limits->emergency_burst;
	hd_source_table_set(o->reserve, &reserve);
	o->n_emergency = 0;
	for (size_t i = 0; i < limits->n_emergency && i < EMERGENCY_MAX; i++)
		if (!hd_str_set(o->emergency[o->n_emergency], sizeof(o->emergency[0]),
				limits->emergency[i]))
			o->n_emergency++;
}

/* ---- what a request is ---------------------------------------------------------------------- */

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

/* As dialled: "112", "1-1-2", "112;phone-context=+49", "%31%31%32". */
static bool is_dialled(const char *user, const char *number)
{
	char c;

	while (*user && *user != ';') {
		struct hd_slice hex = { user + 1, 2 };

		c = *user++;
		if (c == '%') {
			if (!user[0] || !user[1] || hd_hex_parse(&c, 1, hex))
				return false;
			user += 2;
		}
		if (c == *number)
			number++;
		else if (!is_separator(c))
			return false;
	}
	return *number == '\0';
}

/* RFC 5031: urn:service:sos and what is below it; the library takes it for HOST:PORT. */
static bool is_sos(const url_t *url)
{
	const char *port = url->url_port;

	return url->url_scheme && strcasecmp(url->url_scheme, "urn") == 0 && url->url_host &&
	       strcasecmp(url->url_host, "service") == 0 && port &&
	       strncasecmp(port, "sos", 3) == 0 && (port[3] == '\0' || port[3] == '.');
}

bool overload_is_emergency(const struct overload *o, const sip_t *sip)
{
	const url_t *url = sip->sip_request->rq_url;

	switch (sip->sip_request->rq_method) {
	case sip_method_invite:
	case sip_method_ack:
	case sip_method_cancel:
		break;
	default:
		return false;
	}
	if (is_sos(url))
		return true;
	for (size_t i = 0; url->url_user && i < o->n_emergency; i++)
		if (is_dialled(url->url_user, o->emergency[i]))
			return true;
	return false;
}

bool hd_agent_is_emergency(const struct hd_agent *agent, const struct hd_msg *msg)
{
	return overload_is_emergency(&agent->overload, sip_of(msg));
}

bool overload_admits(const struct hd_agent *agent, const sip_t *sip)
{
	const struct hd_agent_limits *l = &agent->options.limits;
	const struct overload *o = &agent->overload;
	const bool dialog = sip->sip_to && sip->sip_to->a_tag;
	uint64_t open = atomic_load_explicit(&agent->open_irqs, memory_order_relaxed);
	uint64_t kept = (uint64_t)o->kept + o->born;

	if (overload_is_emergency(o, sip))
		return true;
	if (dialog)
		return open < 2 * (uint64_t)l->transactions_max + IN_DIALOG_MORE &&
		       kept < 2 * (uint64_t)l->transactions_kept_max + IN_DIALOG_MORE;
	return open < l->transactions_max && kept < l->transactions_kept_max;
}

/* ---- refusing ------------------------------------------------------------------------------- */

static void tell(struct hd_agent *agent, int64_t now_ms)
{
	struct overload *o = &agent->overload;
	struct hd_buf line = { 0 };
	uint64_t total = 0;

	for (size_t i = 0; i < HD_SHED_COUNT; i++) {
		if (o->shed[i])
			hd_buf_addf(&line, "%s%s %u", line.len ? ", " : "", names[i], o->shed[i]);
		total += o->shed[i];
		o->shed[i] = 0;
	}
	hd_warn("sip", "overload: %llu requests not served (%s), %u transactions open",
		(unsigned long long)total, hd_buf_text(&line),
		atomic_load_explicit(&agent->open_irqs, memory_order_relaxed));
	hd_buf_fini(&line);
	o->told_ms = now_ms;
	o->untold = false;
}

void overload_count(struct hd_agent *agent, enum hd_shed why)
{
	struct overload *o = &agent->overload;
	int64_t now_ms = hd_clock_mono_ms(agent->options.clock);

	hd_metric_add(&metrics[why], 1);
	o->shed[why]++;
	o->untold = true;
	if (!o->told_ms || now_ms - o->told_ms >= TELL_MS)
		tell(agent, now_ms);
}

void overload_tick(struct hd_agent *agent, uint32_t kept)
{
	struct overload *o = &agent->overload;
	int64_t now_ms = hd_clock_mono_ms(agent->options.clock);

	o->kept = kept;
	o->born = 0;
	hd_metric_set(&open_now, atomic_load_explicit(&agent->open_irqs, memory_order_relaxed));
	hd_metric_set(&kept_now, kept);
	if (o->untold && now_ms - o->told_ms >= TELL_MS)
		tell(agent, now_ms);
}

enum { LINE_SIZE = 40 };

static void retry_after(char line[LINE_SIZE], const struct hd_agent *agent)
{
	const struct hd_agent_limits *l = &agent->options.limits;
	uint32_t least = l->retry_after_min_s, most = l->retry_after_max_s;

	if (most > least)
		least += hd_random_u32(most - least + 1);
	snprintf(line, LINE_SIZE, "Retry-After: %u\r\n", least);
}

void hd_request_shed(struct hd_request *req, enum hd_shed why)
{
	struct hd_agent *agent = hd_request_agent(req);
	char line[LINE_SIZE];

	overload_count(agent, why);
	retry_after(line, agent);
	hd_request_reply(req, 503, NULL, line);
}

void hd_irq_shed(struct hd_irq *irq, enum hd_shed why)
{
	struct hd_agent *agent = hd_irq_agent(irq);
	struct hd_slice none = { NULL, 0 };
	char line[LINE_SIZE];

	overload_count(agent, why);
	retry_after(line, agent);
	hd_irq_reply(irq, 503, NULL, line, none);
}
