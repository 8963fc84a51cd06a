<?php
require_once __DIR__ . '/Items.php';

final class BTest extends Items
{
}
