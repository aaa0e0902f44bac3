# Targets describe themselves: `make help` prints the text behind the two hashes.
.DEFAULT_GOAL := help
.PHONY: help run test check verify bench testbed clean

# npm scripts run on the Node that npm ci brought (node_modules/.bin comes first in their PATH), whatever Node the machine has.
DEPS := node_modules/.package-lock.json

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(DEPS): package.json package-lock.json
	npm ci
	@touch $@

run: $(DEPS) ## Start a cluster here, the operator and fifty agents in it, and show events flow; Ctrl-C removes all of it
	npm run --silent demo -- $(ARGS)

test: $(DEPS) ## Run every test: unit, integration, control plane, end to end on a real node (as root)
	npm run --silent testbed
	npm run --silent test

check: $(DEPS) ## Check types, lint, format and generated files
	npm run --silent types
	npm run --silent lint
	npm run --silent format:check
	npm run --silent generate:check

verify: check test ## Everything that CI checks

bench: $(DEPS) ## Measure the relay against the floor and PEER=/path/to/kubearmor-relay-server, and the operator
	npm run --silent bench -- $(ARGS)
	npm run --silent bench:operator -- $(OPERATOR_ARGS)

testbed: $(DEPS) ## Build the servers that the tests need, once, outside the tree
	npm run --silent testbed

clean: ## Remove what was built in the tree (the testbed's cache stays)
	rm -rf node_modules dist coverage
