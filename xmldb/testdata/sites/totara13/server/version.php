<?php
$version = 2020100100.00;
$release = '3.4.9';
$branch = '34';
$TOTARA = new stdClass();
$TOTARA->version = '13.1';
$TOTARA->build = '20201118.00';
