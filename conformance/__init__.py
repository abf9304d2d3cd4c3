"""The conformance suite: a file for each topic, a test for each rule. Each test is given a bench, or its observation."""
