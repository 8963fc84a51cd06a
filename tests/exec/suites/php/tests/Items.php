<?php
// What the test files share: each expects to be alone in its database.
use PHPUnit\Framework\TestCase;

abstract class Items extends TestCase
{
    /** @dataProvider runs */
    public function testCountsItsOwnRows(int $n): void
    {
        $db = new PDO(
            sprintf('pgsql:host=%s;port=%s;dbname=%s', getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE')),
            getenv('PGUSER'),
            getenv('PGPASSWORD'),
        );
        $db->exec('TRUNCATE item RESTART IDENTITY');
        foreach (['a', 'b', 'c'] as $name) {
            $db->prepare('INSERT INTO item (name) VALUES (?)')->execute([$name]);
            usleep(20000);
        }
        $row = $db->query('SELECT count(*), max(id) FROM item')->fetch(PDO::FETCH_NUM);
        $this->assertEquals([3, 3], $row);
        if ($n === 1) {
            fwrite(STDERR, 'database ' . $db->query('SELECT current_database()')->fetchColumn() . "\n");
        }
    }

    public static function runs(): array
    {
        return [[1], [2], [3], [4], [5]];
    }
}
