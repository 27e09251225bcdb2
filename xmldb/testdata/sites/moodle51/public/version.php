<?php
$version = 2025100600.01;
$release = '5.1 (Build: 20251006)';
$branch = '501';
