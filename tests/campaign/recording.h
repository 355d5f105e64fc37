/* SPDX-License-Identifier: ISC */
/* recording.h: a record of what was done to the files of a store, as recorder.c writes it and
 * replay.c reads it, in the machine's own byte order. */
#ifndef RETOKEN_TESTS_CAMPAIGN_RECORDING_H
#define RETOKEN_TESTS_CAMPAIGN_RECORDING_H

#include <stdint.h>

enum recorded_kind {
    RECORDED_WRITE,     /* `size` bytes at `offset` of a file */
    RECORDED_SIZE,      /* it is `offset` bytes long from now on */
    RECORDED_SYNC,      /* what was done to the file so far is on the disk */
    RECORDED_NAME,      /* the file has this name, `size` bytes with its NUL; another loses it */
    RECORDED_NO_NAME,   /* the name is gone */
    RECORDED_SYNC_NAMES /* what was done to names so far is on the disk */
};

struct recorded {
    uint8_t kind;   /* enum recorded_kind */
    uint8_t synced; /* a write that is on the disk when it returns (O_DSYNC) */
    uint8_t zero[2];
    uint32_t size; /* of the bytes behind this */
    uint64_t inode;
    uint64_t offset;
    uint64_t when_ns; /* CLOCK_MONOTONIC */
};

#endif
