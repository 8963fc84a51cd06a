// Package shard plans which tests run in which of the parallel processes of a suite, and knows who runs them.
//
// Goals: the same plan in every shard, from nothing but its inputs; balance by recorded times; each test in exactly
// one shard, whatever the filter. Non-goals: running anything; which shards run at once, where, and whether at all,
// which are Bazel's.
package shard

import "strconv"

// Master is the worker of a process that runs a whole suite, without sharding.
const Master = "master"

// TotalVariable holds the number of shards in place of TEST_TOTAL_SHARDS, once a plan has taken that over.
const TotalVariable = "PGCELL_TOTAL_SHARDS"

// Worker names who runs the tests of this process: "w" and TEST_SHARD_INDEX under Bazel's sharding (w0, w1, ...), else
// [Master]. TEST_SHARD_INDEX counts from 0; see https://bazel.build/reference/test-encyclopedia#test-sharding.
func Worker(getenv func(string) string) string {
	total := getenv("TEST_TOTAL_SHARDS")
	if total == "" {
		total = getenv(TotalVariable)
	}
	if n, err := strconv.Atoi(total); err != nil || n < 1 {
		return Master
	}
	index, err := strconv.Atoi(getenv("TEST_SHARD_INDEX"))
	if err != nil || index < 0 {
		return Master
	}
	return "w" + strconv.Itoa(index)
}
