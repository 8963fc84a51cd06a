// Package shard knows who runs a test among the parallel processes of a suite.
//
// Non-goal, so far: to choose which tests a shard runs; rules_go deals them round robin.
package shard

import "strconv"

// Master is the worker of a process that runs a whole suite, without sharding.
const Master = "master"

// Worker names who runs the tests of this process: "w" and TEST_SHARD_INDEX under Bazel's sharding (w0, w1, ...), else [Master].
// TEST_SHARD_INDEX counts from 0; see https://bazel.build/reference/test-encyclopedia#test-sharding.
func Worker(getenv func(string) string) string {
	total, err := strconv.Atoi(getenv("TEST_TOTAL_SHARDS"))
	if err != nil || total < 1 {
		return Master
	}
	index, err := strconv.Atoi(getenv("TEST_SHARD_INDEX"))
	if err != nil || index < 0 {
		return Master
	}
	return "w" + strconv.Itoa(index)
}
