require_relative "items"

RSpec.describe("a") { include_examples "items" }
