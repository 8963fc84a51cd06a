# What the spec files share: each expects to be alone in its database.
require "pg"

RSpec.shared_examples "items" do
  5.times do |n|
    it "counts its own rows #{n}" do
      db = PG.connect(ENV.fetch("DATABASE_URL"))
      db.exec("TRUNCATE item RESTART IDENTITY")
      %w[a b c].each do |name|
        db.exec_params("INSERT INTO item (name) VALUES ($1)", [name])
        sleep 0.02
      end
      expect(db.exec("SELECT count(*), max(id) FROM item").values).to eq([%w[3 3]])
      puts "database #{db.exec('SELECT current_database()').getvalue(0, 0)}" if n.zero?
      db.close
    end
  end
end
