/* pinhash.c - prints what one PIN check costs here: the median of some, in milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hotdesk/base/secret.h"

enum { ROUNDS = 41 };

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	const struct hd_pin_cost cost = { .memory_kib = 19456, .passes = 2 };
	const struct hd_slice pin = hd_slice_of("471147");
	char hash[HD_PIN_HASH_SIZE];
	double times[ROUNDS];
	struct hd_key pepper;

	if (hd_secret_init())
		return 1;
	hd_random_bytes(&pepper, sizeof(pepper));
	if (hd_pin_hash(hash, pin, &pepper, &cost))
		return 1;

	for (size_t i = 0; i < ROUNDS; i++) {
		times[i] = now_ms();
		if (hd_pin_verify(hash, pin, &pepper))
			return 1;
		times[i] = now_ms() - times[i];
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	printf("%.3f\n", times[ROUNDS / 2]);
	return 0;
}
