import static org.junit.Assert.assertEquals;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.Test;

/** Connects by JDBC, which has TCP alone. */
public class ItemTest {
    @Test
    public void countsItsOwnRows() throws Exception {
        try (Connection c = DriverManager.getConnection(System.getenv("JDBC_URL"));
                Statement s = c.createStatement()) {
            for (int n = 0; n < 10; n++) {
                s.execute("TRUNCATE item RESTART IDENTITY");
                for (String name : new String[] {"a", "b", "c"}) {
                    s.execute("INSERT INTO item (name) VALUES ('" + name + "')");
                    Thread.sleep(20);
                }
                try (ResultSet r = s.executeQuery("SELECT count(*), max(id) FROM item")) {
                    r.next();
                    assertEquals(3, r.getInt(1));
                    assertEquals(3, r.getInt(2));
                }
            }
        }
    }
}
