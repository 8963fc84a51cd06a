<?php
require_once __DIR__ . '/Items.php';

final class CTest extends Items
{
}
