<?php
$version  = 2013051403.00;
$release  = '2.5.3 (Build: 20131111)';
$branch   = '25';
$TOTARA = new stdClass();
$TOTARA->version    = '2.5.2';          // Please keep as string.
$TOTARA->build      = '20131126.00';
$TOTARA->release    = "{$TOTARA->version} (Build: {$TOTARA->build})";
