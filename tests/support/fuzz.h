/* fuzz.h - the one function a fuzz target defines. */
#ifndef SUPPORT_FUZZ_H
#define SUPPORT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Takes one input, cleans up after itself and returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
